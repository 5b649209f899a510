;; Speaks Latin-1 or UTF-16, and answers in Latin-1.
;; encoding: latin1
;; answer: {"root":{"type":"text","text":"Grüße"}}
