;; Garbage collection is off.
(component (core module (type (struct (field i32)))))
