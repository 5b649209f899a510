;; Shows a number that is none.
;; answer: {"root":{"type":"progress","value":NaN}}
