;; Shows a link that is a script.
;; answer: {"root":{"type":"link","text":"x","href":"javascript:alert(1)"}}
