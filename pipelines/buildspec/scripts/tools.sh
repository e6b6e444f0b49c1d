npm ci --no-audit --no-fund
export PATH=$PWD/node_modules/.bin:$PATH
mkdir tools
