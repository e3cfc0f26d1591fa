// Package sheet reads the tables that people upload: the first sheet of a
// workbook, or text with commas, semicolons or tabs, within bounds that are
// compared before anything is taken. It also reads what stands in their cells as
// people and spreadsheets write it: amounts, times.
//
// Left to others: what the columns of a table mean.
package sheet
