;; Calls the host when nobody may call anything any more.
;; rights: { log: true }
;; answer: {"root":{"type":"text","text":"done"}}
(import "callboard:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(func (export "cabi_post_callboard:plugin/ui@0.1.0#render") (param i32)
  (call $log (i32.const 0) (i32.const 1024) (i32.const 1)))
