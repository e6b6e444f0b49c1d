mkdir tools
go build -trimpath -o composecdk .
go build -trimpath -o tools/composer ./cmd/composer
