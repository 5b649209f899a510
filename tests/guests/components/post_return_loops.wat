;; Answers, and never lets go of the answer.
;; answer: {"root":{"type":"text","text":"done"}}
(func (export "cabi_post_callboard:plugin/ui@0.1.0#render") (param i32) (loop $again (br $again)))
