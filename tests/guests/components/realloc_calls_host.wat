;; Calls the host while the host hands something over.
;; rights: { log: true }
;; answer: {"root":{"type":"text","text":"inside"}}
(import "callboard:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (call $log (i32.const 0) (i32.const 1024) (i32.const 1))
  (i32.const 32768))
