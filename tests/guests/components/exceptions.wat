;; Exceptions are off.
(component (core module (tag)))
