;; Answers with a text of two-byte units at an odd address.
;; encoding: utf16
(data (i32.const 16) "\00\00\00\00\01\04\00\00\01\00\00\00")
