module github.com/stagedoor/stagedoor

go 1.26
