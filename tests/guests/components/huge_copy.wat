;; Copies 30 MiB over and over, in instructions that take long each.
(memory (export "memory") 1000)
(func (export "callboard:plugin/ui@0.1.0#render") (type $render)
  (loop $again
    (memory.copy (i32.const 32000000) (i32.const 1000) (i32.const 31457280))
    (memory.fill (i32.const 1000) (i32.const 7) (i32.const 31457280))
    (br $again))
  unreachable)
