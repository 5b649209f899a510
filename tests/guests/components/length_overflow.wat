;; Answers with a text whose end wraps around.
(data (i32.const 16) "\00\00\00\00\01\00\00\00\ff\ff\ff\ff")
