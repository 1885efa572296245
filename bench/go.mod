module github.com/stagedoor/stagedoor/bench

go 1.26.0
