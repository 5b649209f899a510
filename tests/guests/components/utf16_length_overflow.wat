;; Answers with a text whose bytes are twice as many as fit into a number.
;; encoding: utf16
(data (i32.const 16) "\00\00\00\00\00\04\00\00\01\00\00\80")
