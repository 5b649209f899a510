;; Asks for a million requests, which are 48 MB here and more than that in the host.
;; rights: { http: [ "GET https://a.example" ] }
(import "callboard:host/http@0.1.0" "send" (func $send (param i32 i32 i32)))
(memory (export "memory") 800)
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (call $send (i32.const 65536) (i32.const 1000000) (i32.const 64))
  (i32.const 16))
