;; Never gets as far as being called: it loops while it is instantiated.
(func $forever (loop $again (br $again)))
(start $forever)
