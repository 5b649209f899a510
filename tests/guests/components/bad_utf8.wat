;; Answers with a text that is not UTF-8.
(data (i32.const 16) "\00\00\00\00\00\04\00\00\02\00\00\00")
(data (i32.const 1024) "\ff\fe")
