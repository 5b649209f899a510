;; Declares more memory than any instance may have.
(component (core module (memory 20000)))
