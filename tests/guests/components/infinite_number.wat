;; Shows a number that no number holds.
;; answer: {"root":{"type":"progress","value":1e999}}
