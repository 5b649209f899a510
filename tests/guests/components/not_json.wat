;; Answers with a page of its own.
;; answer: <html><script>alert(1)</script></html>
