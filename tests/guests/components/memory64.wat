;; Memories of 64 bit are off.
(component (core module (memory i64 1)))
