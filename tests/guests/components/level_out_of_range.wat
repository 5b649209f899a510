;; Logs at a level that is not there.
;; rights: { log: true }
(import "callboard:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (call $log (i32.const 200) (i32.const 1024) (i32.const 1))
  (i32.const 16))
