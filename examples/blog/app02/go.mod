module example.com/blog/app02

go 1.26
