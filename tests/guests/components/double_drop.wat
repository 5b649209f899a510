;; Gives the same stream back twice.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
(func (export "callboard:plugin/ui@0.1.0#render") (type $render) (local $it i32)
  (local.set $it (call $stdout))
  (call $drop (local.get $it))
  (call $drop (local.get $it))
  (i32.const 16))
