;; Answers with half a character.
;; encoding: utf16
(data (i32.const 16) "\00\00\00\00\00\04\00\00\01\00\00\00")
(data (i32.const 1024) "\00\d8")
