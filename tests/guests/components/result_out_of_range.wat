;; Answers with something that is neither a value nor an error.
(data (i32.const 16) "\02\00\00\00\00\04\00\00\01\00\00\00")
