#!/usr/bin/env bash
# Makes a certification authority for tests and demonstrations, with
# certificates good and bad, revocation lists, and signatures over one document:
#
#   scripts/test-pki.sh DIR
#
#   DIR/roots/       what is trusted: roots and the authorities below them
#   DIR/crls/        their revocation lists
#   DIR/stale/       the same, too old
#   DIR/document.txt what is signed
#   DIR/signed/      NAME.p7s detached, NAME.p7m with the document inside
#   DIR/keys/        certificates, keys and PKCS#12 files (password 1234)
#
# The signatures of internal/signature/testdata/pki were made by it, once;
# tests make all of it again where OpenSSL and its GOST engine are there. None
# of these keys protects anything.
set -Eeuo pipefail

[ $# -eq 1 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"/{roots,crls,stale,signed,keys}
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >openssl.cnf <<'EOF'
openssl_conf = init
[init]
engines = engines
oid_section = names
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[names]
orgINN = 1.2.643.100.4
OGRNIP = 1.2.643.100.5
[req]
distinguished_name = subject
string_mask = utf8only
utf8 = yes
[subject]
[any]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[document]
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[person]
extendedKeyUsage = emailProtection, 1.2.398.3.3.4.1.1
[head]
extendedKeyUsage = emailProtection, 1.2.398.3.3.4.1.2, 1.2.398.3.3.4.1.2.1
[signs]
extendedKeyUsage = emailProtection, 1.2.398.3.3.4.1.2, 1.2.398.3.3.4.1.2.2
[employee]
extendedKeyUsage = emailProtection, 1.2.398.3.3.4.1.2, 1.2.398.3.3.4.1.2.5
[russian]
extendedKeyUsage = emailProtection, clientAuth
[server]
extendedKeyUsage = serverAuth
[auth]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth, 1.2.398.3.3.4.1.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[puzzle]
1.2.398.99.1 = critical, ASN1:NULL
EOF
export OPENSSL_CONF=$work/openssl.cnf

long="20200101000000Z 20450101000000Z"

# key NAME ALGORITHM...: a private key; the digest that goes with it is printed.
key() {
	local name=$1 kind=$2
	case $kind in
	rsa) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$3" -out "$name.key" ;;
	ec) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$3" -out "$name.key" ;;
	*) openssl genpkey -algorithm "$kind" -pkeyopt "paramset:$3" -out "$name.key" ;;
	esac 2>>log
	echo "$kind" >"$name.kind"
}

# md NAME: the digest that goes with a key.
md() {
	case $(cat "$1.kind") in
	gost2012_256) echo md_gost12_256 ;;
	gost2012_512) echo md_gost12_512 ;;
	gost2001) echo md_gost94 ;;
	*) echo sha256 ;;
	esac
}

# issue NAME ISSUER SUBJECT TERM SECTION...: a certificate by an authority; an
# authority issues its own certificate.
issue() {
	local name=$1 issuer=$2 subject=$3 term=$4 section
	shift 4
	for section in "$@"; do
		sed -n "/^\[$section\]/,/^\[/p" openssl.cnf | grep -v '^\['
	done >"$name.ext"
	if [ ! -d "$issuer.d" ]; then
		mkdir "$issuer.d"
		: >"$issuer.d/index"
		echo 1000 >"$issuer.d/serial"
		echo 01 >"$issuer.d/number"
		cat >"$issuer.cnf" <<EOF
[ca]
default_ca = this
[any]
[list]
authorityKeyIdentifier = keyid
[this]
database = $work/$issuer.d/index
serial = $work/$issuer.d/serial
new_certs_dir = $work/$issuer.d
crlnumber = $work/$issuer.d/number
crl_extensions = list
policy = any
unique_subject = no
string_mask = utf8only
EOF
	fi
	local by=(-cert "$issuer.pem" -keyfile "$issuer.key")
	[ "$name" = "$issuer" ] && by=(-selfsign -keyfile "$issuer.key")
	openssl req -new -utf8 -key "$name.key" -subj "$subject" -"$(md "$name")" -out "$name.csr" 2>>log
	openssl ca -config "$issuer.cnf" -batch -utf8 -preserveDN -notext -in "$name.csr" "${by[@]}" -md "$(md "$issuer")" \
		-startdate "${term% *}" -enddate "${term#* }" -extfile "$name.ext" -out "$name.pem" 2>>log
	cp "$name.pem" "$name.key" "$out/keys/"
}

# list AUTHORITY FOLDER LAST NEXT: its revocation list.
list() {
	openssl ca -config "$1.cnf" -gencrl -cert "$1.pem" -keyfile "$1.key" -md "$(md "$1")" \
		-crl_lastupdate "$3" -crl_nextupdate "$4" -out "$1.crl.pem" 2>>log
	openssl crl -in "$1.crl.pem" -outform DER -out "$out/$2/$1.crl" 2>>log
}

# sign NAME FILE OPTION...: a signature over the document by the key of NAME.
sign() {
	local name=$1 file=$2 md
	shift 2
	md=$(md "$name")
	openssl cms -sign -binary -in document.txt -signer "$name.pem" -inkey "$name.key" -md "$md" \
		-outform DER -out "$out/signed/$file" "$@" 2>>log
}

fail() {
	tail -n 8 "$work/log" >&2 || true
	echo "$0: line $1 failed" >&2
}
trap 'fail $LINENO' ERR

printf 'Кассаны тіркеуге өтініш\nЗаявление на регистрацию кассы\nApplication to register a cash register\n' >document.txt
cp document.txt "$out/"

# The authorities.
key root-rsa rsa 2048
issue root-rsa root-rsa "/CN=OpenOFD TEST ROOT (RSA)/C=KZ" "$long" authority
key root-gost gost2012_512 A
issue root-gost root-gost "/CN=OpenOFD TEST ROOT (GOST)/C=KZ" "$long" authority
key root-ru gost2012_256 A
issue root-ru root-ru "/CN=OpenOFD ТЕСТОВЫЙ ГОЛОВНОЙ УЦ/C=RU" "$long" authority
key root-stranger rsa 2048
issue root-stranger root-stranger "/CN=A STRANGER'S ROOT/C=KZ" "$long" authority
key ca-rsa rsa 2048
issue ca-rsa root-rsa "/CN=OpenOFD TEST AUTHORITY (RSA)/C=KZ" "$long" authority
key ca-gost gost2012_256 TCA
issue ca-gost root-gost "/CN=OpenOFD TEST AUTHORITY (GOST)/C=KZ" "$long" authority
key ca-ru gost2012_512 B
issue ca-ru root-ru "/CN=OpenOFD ТЕСТОВЫЙ УЦ/C=RU" "$long" authority
key ca-over rsa 2048
issue ca-over root-rsa "/CN=OpenOFD TEST AUTHORITY THAT IS OVER/C=KZ" "20200101000000Z 20220101000000Z" authority
key ca-gone rsa 2048
issue ca-gone root-rsa "/CN=OpenOFD TEST AUTHORITY THAT WAS REVOKED/C=KZ" "$long" authority

person="/CN=ТЕСТОВ ТЕСТ/SN=ТЕСТОВ/serialNumber=IIN800101300125/C=KZ/GN=ТЕСТОВИЧ"
entity="/CN=ТЕСТОВА АЙГҮЛ/SN=ТЕСТОВА/serialNumber=IIN900512450034/C=KZ/O=ТОО \"ӘЛЕМ ТЕСТ\"/OU=BIN150340000179/GN=ТЕСТҚЫЗЫ"

# Persons.
key person rsa 2048
issue person ca-rsa "$person" "$long" document person
key person-ec ec P-256
issue person-ec ca-rsa "$person" "$long" document person
key person-ec384 ec P-384
issue person-ec384 ca-rsa "$person" "$long" document person
key person-gost gost2012_512 C
issue person-gost ca-gost "$person" "$long" document person

# Organizations.
key head gost2012_256 A
issue head ca-gost "$entity" "$long" document head
key head-512 gost2012_512 A
issue head-512 ca-gost "$entity" "$long" document head
key signs gost2012_256 B
issue signs ca-gost "$entity" "$long" document signs
key employee gost2012_256 TCA
issue employee ca-gost "$entity" "$long" document employee

# Russia.
key ru-person gost2012_256 A
issue ru-person ca-ru "/CN=Иванов Иван Иванович/SN=Иванов/GN=Иван Иванович/C=RU/INN=770012345606/SNILS=11223344595/OGRNIP=304770012345674" "$long" document russian
key ru-head gost2012_512 B
issue ru-head ca-ru "/CN=ООО \"Тест\"/SN=Петрова/GN=Мария Павловна/C=RU/ST=77 Москва/L=Москва/street=ул. Тестовая, 1/O=ООО \"Тест\"/title=Генеральный директор/OGRN=1027700123450/SNILS=11223344595/INN=781123456765/orgINN=7700123459" "$long" document russian
key ru-seal gost2012_256 TCA
issue ru-seal ca-ru "/CN=ООО \"Тест\"/C=RU/O=ООО \"Тест\"/OGRN=1027700123450/INN=007700123459" "$long" document russian
key ru-2001 gost2001 A
issue ru-2001 ca-ru "/CN=Иванов Иван Иванович/SN=Иванов/GN=Иван Иванович/C=RU/INN=770012345606" "$long" document russian

# What must be refused.
key expired rsa 2048
issue expired ca-rsa "$person" "20200101000000Z 20220101000000Z" document person
key future rsa 2048
issue future ca-rsa "$person" "20440101000000Z 20450101000000Z" document person
key revoked rsa 2048
issue revoked ca-rsa "$person" "$long" document person
key stranger rsa 2048
issue stranger root-stranger "$person" "$long" document person
key auth rsa 2048
issue auth ca-rsa "$person" "$long" auth
key server rsa 2048
issue server ca-rsa "$person" "$long" document server
key puzzle rsa 2048
issue puzzle ca-rsa "$person" "$long" document person puzzle
key nobody rsa 2048
issue nobody ca-rsa "/CN=NOBODY/C=KZ" "$long" document person
key small rsa 1024
issue small ca-rsa "$person" "$long" document person
key impostor rsa 2048
issue impostor person "/CN=AN IMPOSTOR/serialNumber=IIN900512450034/C=KZ" "$long" document person
key over rsa 2048
issue over ca-over "$person" "20200101000000Z 20450101000000Z" document person
key gone rsa 2048
issue gone ca-gone "$person" "$long" document person

for name in root-rsa root-gost root-ru ca-rsa ca-gost ca-ru ca-over ca-gone; do
	cp "$name.pem" "$out/roots/"
done

# Revocation.
for name in root-rsa root-gost root-ru ca-rsa ca-gost ca-ru ca-over ca-gone; do
	list "$name" stale 20200102000000Z 20210102000000Z
done
openssl ca -config ca-rsa.cnf -revoke revoked.pem -crl_reason keyCompromise -cert ca-rsa.pem -keyfile ca-rsa.key -md sha256 2>>log
openssl ca -config root-rsa.cnf -revoke ca-gone.pem -crl_reason CACompromise -cert root-rsa.pem -keyfile root-rsa.key -md sha256 2>>log
for name in root-rsa root-gost root-ru ca-rsa ca-gost ca-ru ca-over ca-gone; do
	list "$name" crls 20200103000000Z 20450101000000Z
done

# Signatures: with the usual settings by everybody, attached by some.
for name in person person-ec person-ec384 person-gost head head-512 signs employee ru-person ru-head ru-seal ru-2001 \
	expired future revoked stranger auth server puzzle nobody small over gone; do
	sign "$name" "$name.p7s"
done
for name in person head head-512 ru-head; do
	sign "$name" "$name.p7m" -nodetach
done
sign impostor impostor.p7s -certfile person.pem

# Other ways to write a signature.
sign person person-cades.p7s -cades
sign person person-pss.p7s -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest
sign person person-keyid.p7s -keyid
sign person person-sha512.p7s -md sha512
sign person ber.p7m -nodetach -stream
sign person no-attributes.p7s -noattr
sign person no-certificate.p7s -nocerts
sign person sha1.p7s -md sha1
sign person sha3.p7s -md sha3-256
openssl cms -sign -binary -in document.txt -signer person.pem -inkey person.key -signer head.pem -inkey head.key -outform DER -out "$out/signed/several.p7s"
openssl crl2pkcs7 -nocrl -certfile person.pem -outform DER -out "$out/signed/no-signer.p7s" 2>>log
openssl cms -encrypt -binary -in document.txt -aes256 -outform DER -out "$out/signed/encrypted.p7m" person.pem
openssl cms -sign -binary -in document.txt -signer person.pem -inkey person.key -md sha256 -outform PEM -out "$out/signed/person-pem.p7s"
base64 "$out/signed/person.p7s" >"$out/signed/person-base64.p7s"

# For browsers.
cat ca-rsa.pem root-rsa.pem >chain.pem
openssl pkcs12 -export -in person.pem -inkey person.key -certfile chain.pem -passout pass:1234 -out "$out/keys/person.p12"
# As Kazakhstan's authority packs them: triple DES, and nothing but the key and its certificate.
openssl pkcs12 -export -in person.pem -inkey person.key -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -passout pass:1234 -out "$out/keys/person-old.p12"
openssl pkcs12 -export -in head.pem -inkey head.key -passout pass:1234 -out "$out/keys/head.p12"
