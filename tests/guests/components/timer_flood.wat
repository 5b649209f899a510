;; Sets a million timers.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $timer (param i64) (result i32)))
(func (export "callboard:plugin/ui@0.1.0#render") (type $render) (local $n i32)
  (loop $again
    (drop (call $timer (i64.const 1000000000000)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 1000000))))
  (i32.const 16))
