;; Answers with a text beyond its memory.
(data (i32.const 16) "\00\00\00\00\00\00\ff\ff\10\00\00\00")
