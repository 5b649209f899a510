;; Gives up while it is instantiated.
(func $no unreachable)
(start $no)
