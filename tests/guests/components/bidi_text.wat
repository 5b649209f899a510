;; Shows text that would turn other text around, were it not text alone.
;; answer: {"root":{"type":"text","text":"\u202egnp.exe\u2066\u001b[31m\u0000"}}
