;; Declares a second memory, which no limit of the first one would count.
(component (core module (memory 1) (memory 1)))
