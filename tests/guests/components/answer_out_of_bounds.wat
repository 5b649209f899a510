;; Answers with an address beyond its memory.
(func (export "callboard:plugin/ui@0.1.0#render") (type $render) (i32.const 0xfffffff0))
