;; Reads an answer that it was never given.
;; rights: { http: [ "GET https://a.example" ] }
(import "callboard:host/http@0.1.0" "[method]body.read" (func $read (param i32 i32 i32)))
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (call $read (i32.const 1) (i32.const 100) (i32.const 64))
  (i32.const 16))
