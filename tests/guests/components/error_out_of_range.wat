;; Answers with an error of a kind that is not there.
(data (i32.const 16) "\01\00\00\00\c8\00\00\00\00\04\00\00\01\00\00\00")
