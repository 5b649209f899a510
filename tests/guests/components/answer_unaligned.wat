;; Answers with an address that is not aligned.
(func (export "callboard:plugin/ui@0.1.0#render") (type $render) (i32.const 17))
