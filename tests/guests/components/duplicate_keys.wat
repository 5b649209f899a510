;; Shows two trees at once.
;; answer: {"root":{"type":"text","text":"a"},"root":{"type":"text","text":"b"}}
