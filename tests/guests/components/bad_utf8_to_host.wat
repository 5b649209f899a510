;; Logs what is no text.
;; rights: { log: true }
(import "callboard:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(data (i32.const 2048) "\c3\28")
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (call $log (i32.const 1) (i32.const 2048) (i32.const 2))
  (i32.const 16))
