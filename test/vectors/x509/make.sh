#!/bin/sh
# Made the certificates beside it with OpenSSL's command line; running it again makes others, whose dates
# cert_test.c does not know. The keys are published here, so of use for nothing else.
set -e
key="-newkey rsa:2048 -nodes"
issue() { # NAME ISSUER DAYS EXTENSIONS
    printf '%s\n' "$4" | openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial \
        -days "$3" -extfile /dev/stdin -out "$1.pem"
    rm "$1.csr"
}
ca="basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign"
end="basicConstraints=CA:FALSE
keyUsage=digitalSignature"

for root in root other; do
    openssl req -x509 $key -keyout $root.key -out $root.pem -days 36500 -subj "/O=Conclave/CN=$root"
done
for name in middle leaf child; do
    openssl req -new $key -keyout $name.key -out $name.csr -subj "/O=Conclave/CN=$name"
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.csr \
    -subj "/O=Conclave/CN=ec"
issue middle root 18000 "$ca"
issue leaf middle 3650 "$end"
issue ec root 3650 "$end"
issue child leaf 3650 "$end" # by an issuer that is no authority
rm -f root.key other.key middle.key child.key ./*.srl
