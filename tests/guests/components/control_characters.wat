;; Ends in an error that would colour a terminal, break a line of the log, and turn its text around.
(data (i32.const 16) "\01\00\00\00\01\00\00\00\00\04\00\00\15\00\00\00")
(data (i32.const 1024) "a\1b[31mb\0d\0ac\e2\80\aed\e2\81\a6e\00f\07")
