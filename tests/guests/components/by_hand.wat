;; A whole plugin without an SDK: the extension point `ui`, written against the files in wit/ alone. What it does is said in
;; crates/host/tests/guests/compliance.rs, and in Rust in tests/guests/examples/by_sdk.rs.
;; rights: { log: true, kv: true }
(import "callboard:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(import "callboard:host/kv@0.1.0" "get" (func $get (param i32 i32 i32)))
(import "callboard:host/kv@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))

(memory (export "memory") 4)
;; From 16 on: what is answered, and what the host answers to a call. Both are results with the same errors, so that an
;; error of the host's is handed on by answering with the same place.
(data (i32.const 1024) "kept")
(data (i32.const 1040) "rendered")
(data (i32.const 1056) "nobody")
(data (i32.const 1072) " keeps ")
(data (i32.const 1088) "nothing")
(data (i32.const 1104) "{\"root\":{\"type\":\"text\",\"text\":\"")
(data (i32.const 1152) "\"}}")
(data (i32.const 1168) "{\"message\":\"kept\",\"refresh\":true}")
(data (i32.const 1216) "E-17")
(data (i32.const 1232) "as you wish")

;; Where the next text goes, in a page that nothing else uses.
(global $end (mut i32) (i32.const 131072))
(func $add (param $from i32) (param $length i32)
  (memory.copy (global.get $end) (local.get $from) (local.get $length))
  (global.set $end (i32.add (global.get $end) (local.get $length))))

;; context: plugin-id, request-id, user (whether there is one, then the text), deadline-ms; extension; input.
(func (export "callboard:plugin/ui@0.1.0#render")
  (param i32 i32 i32 i32) (param $is_user i32) (param $user i32) (param $user_length i32) (param i64)
  (param i32 i32 i32 i32) (result i32)
  (call $log (i32.const 1) (i32.const 1040) (i32.const 8))
  (call $get (i32.const 1024) (i32.const 4) (i32.const 16))
  (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
  (call $add (i32.const 1104) (i32.const 31))
  (if (local.get $is_user)
    (then (call $add (local.get $user) (local.get $user_length)))
    (else (call $add (i32.const 1056) (i32.const 6))))
  (call $add (i32.const 1072) (i32.const 7))
  (if (i32.load8_u (i32.const 20))
    (then (call $add (i32.load (i32.const 24)) (i32.load (i32.const 28))))
    (else (call $add (i32.const 1088) (i32.const 7))))
  (call $add (i32.const 1152) (i32.const 3))
  (i32.store8 (i32.const 16) (i32.const 0))
  (i32.store (i32.const 20) (i32.const 131072))
  (i32.store (i32.const 24) (i32.sub (global.get $end) (i32.const 131072)))
  (i32.const 16))

;; The same, with the action before the input. An action of one digit is answered with the error of that number.
(func (export "callboard:plugin/ui@0.1.0#act")
  (param i32 i32 i32 i32 i32 i32 i32 i64)
  (param i32 i32) (param $action i32) (param $action_length i32) (param i32 i32) (result i32)
  (if (i32.eq (local.get $action_length) (i32.const 1))
    (then
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store8 (i32.const 20) (i32.sub (i32.load8_u (local.get $action)) (i32.const 48)))
      ;; The last of them has a code before its message.
      (if (i32.eq (i32.load8_u (i32.const 20)) (i32.const 6))
        (then
          (i32.store (i32.const 24) (i32.const 1216))
          (i32.store (i32.const 28) (i32.const 4))
          (i32.store (i32.const 32) (i32.const 1232))
          (i32.store (i32.const 36) (i32.const 11)))
        (else
          (i32.store (i32.const 24) (i32.const 1232))
          (i32.store (i32.const 28) (i32.const 11))))
      (return (i32.const 16))))
  (call $set (i32.const 1024) (i32.const 4) (local.get $action) (local.get $action_length) (i32.const 16))
  (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
  (i32.store (i32.const 20) (i32.const 1168))
  (i32.store (i32.const 24) (i32.const 33))
  (i32.const 16))
