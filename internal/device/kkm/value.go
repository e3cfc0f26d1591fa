package kkm

import (
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

func newOperator(c fiscal.Cashier) *kkmpb.Operator {
	return &kkmpb.Operator{Code: &c.Code, Name: text(c.Name)}
}

// text is a pointer to s, or nil: an optional field is left out rather than
// sent empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// invalid says that a document cannot be put on the wire.
func invalid(reason fiscal.Reason, field, format string, args ...any) error {
	return &fiscal.Error{Reason: reason, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// The wire's names of what a document does with money.
var operations = map[fiscal.Op]kkmpb.OperationTypeEnum{
	fiscal.OpSale:           kkmpb.OperationTypeEnum_OPERATION_SELL,
	fiscal.OpSaleReturn:     kkmpb.OperationTypeEnum_OPERATION_SELL_RETURN,
	fiscal.OpPurchase:       kkmpb.OperationTypeEnum_OPERATION_BUY,
	fiscal.OpPurchaseReturn: kkmpb.OperationTypeEnum_OPERATION_BUY_RETURN,
}

// The wire's names of ways of paying. It has none for an advance.
var payments = map[fiscal.PayKind]kkmpb.PaymentTypeEnum{
	fiscal.PayCash:   kkmpb.PaymentTypeEnum_PAYMENT_CASH,
	fiscal.PayCard:   kkmpb.PaymentTypeEnum_PAYMENT_CARD,
	fiscal.PayMobile: kkmpb.PaymentTypeEnum_PAYMENT_MOBILE,
	fiscal.PayCredit: kkmpb.PaymentTypeEnum_PAYMENT_CREDIT,
	fiscal.PayTare:   kkmpb.PaymentTypeEnum_PAYMENT_TARE,
}
