;; Answers with a text that claims to be UTF-16 and to have all of memory.
;; encoding: latin1
(data (i32.const 16) "\00\00\00\00\00\04\00\00\ff\ff\ff\ff")
