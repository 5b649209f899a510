;; Asks for a list whose size in bytes does not fit into a number.
;; rights: { http: [ "GET https://a.example" ] }
(import "callboard:host/http@0.1.0" "send" (func $send (param i32 i32 i32)))
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (call $send (i32.const 1024) (i32.const 0x7fffffff) (i32.const 64))
  (i32.const 16))
