;; Speaks UTF-16, and answers as it should.
;; encoding: utf16
;; answer: {"root":{"type":"text","text":"Grüße, 世界 😀"}}
