package bench

import (
	"encoding/binary"
	"fmt"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// format is that of the documents.
const format = ffd.V120

// requisites are those of a receipt, encoded, and where those stand that change
// from one to the next. All of them keep their length. Safe for concurrent use.
type requisites struct {
	bytes                                                  []byte
	drive, registration, inn, number, time, shift, inShift int
}

// newRequisites encodes a receipt of so many items.
func newRequisites(items int) (*requisites, error) {
	shop := device.SampleShop(format)
	at, _ := fiscal.WallDate(2026, 3, 14, 9, 12, 41)
	drive, err := wire.ParseDriveNumber("9999078902001234")
	if err != nil {
		return nil, err
	}
	b, err := shop.Settle(ffd.FormReceipt, basket(items)).AppendRequisites(nil, device.Numbers{Drive: drive, Number: 3, Time: at, Shift: 1, Receipt: 1})
	if err != nil {
		return nil, fmt.Errorf("bench: a receipt of %d items: %w", items, err)
	}
	const sign = 10 // with tag and length
	if len(b)+sign > wire.CodeReceipt.MaxDocument() {
		return nil, fmt.Errorf("bench: a receipt of %d items has %d bytes, at most %d are allowed", items, len(b)+sign, wire.CodeReceipt.MaxDocument())
	}
	r := &requisites{bytes: b}
	for _, one := range []struct {
		tag  uint16
		size int
		at   *int
	}{{1041, 16, &r.drive}, {1037, 20, &r.registration}, {1018, 12, &r.inn}, {1040, 4, &r.number}, {1012, 4, &r.time}, {1038, 4, &r.shift}, {1042, 4, &r.inShift}} {
		at, size := requisite(b, one.tag)
		if size != one.size {
			return nil, fmt.Errorf("bench: requisite %d of the receipt has %d bytes, want %d", one.tag, size, one.size)
		}
		*one.at = at
	}
	return r, nil
}

// requisite finds the value of a requisite; a size of -1 is none.
func requisite(b []byte, tag uint16) (at, size int) {
	const head = 4
	for at := 0; at+head <= len(b); {
		size := int(binary.LittleEndian.Uint16(b[at+2:]))
		if binary.LittleEndian.Uint16(b[at:]) == tag {
			return at + head, size
		}
		at += head + size
	}
	return 0, -1
}

// appendFor appends the next receipt of a register.
func (t *requisites) appendFor(b []byte, r *KKTRegister, at fiscal.WallTime) []byte {
	b = append(b, t.bytes...)
	copy(b[t.drive:], r.Drive.Drive[:])
	copy(b[t.registration:], r.registration)
	copy(b[t.inn:], r.INN)
	binary.LittleEndian.PutUint32(b[t.number:], r.Number)
	binary.LittleEndian.PutUint32(b[t.time:], uint32(at))
	binary.LittleEndian.PutUint32(b[t.shift:], 1)
	binary.LittleEndian.PutUint32(b[t.inShift:], r.Number-theOpening)
	return b
}

// basket is what a grocer sells, paid in cash.
func basket(items int) ffd.Receipt {
	const at10, pieces, kilograms = 2, 0, 11 // tags 1199 and 2108
	goods := [...]ffd.Item{
		{Name: `Хлеб "Бородинский" нарезной, 400 г`, Price: 6490, Quantity: ffd.Decimal{Digits: 2}, Measure: pieces},
		{Name: `Молоко 3,2 % "Домик в деревне", 930 мл`, Price: 11990, Quantity: ffd.Decimal{Digits: 1}, Measure: pieces},
		{Name: `Яблоки "Гала", весовые`, Price: 14990, Quantity: ffd.Decimal{Digits: 1350, Places: 3}, Measure: kilograms},
		{Name: `Масло сливочное 82,5 %, 180 г`, Price: 24990, Quantity: ffd.Decimal{Digits: 1}, Measure: pieces},
		{Name: `Сахар-песок, 1 кг`, Price: 7490, Quantity: ffd.Decimal{Digits: 1}, Measure: pieces},
	}
	r := ffd.Receipt{Operation: 1}
	for i := range items {
		item := goods[i%len(goods)]
		item.Rate = at10
		r.Items = append(r.Items, item)
	}
	return r
}
