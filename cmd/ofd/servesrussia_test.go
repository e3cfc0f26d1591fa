//go:build crash || faults || long

package main

import "openofd/internal/config"

// servesRussia is the file of an operator that serves simulated drives.
const servesRussia = "kkt_crypto = '" + config.CryptoSIM1 + "'\n[operator]\ninn = '" + operatorINN + "'\n"
