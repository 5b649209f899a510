;; The async component ABI is off.
(component (type (stream u8)))
