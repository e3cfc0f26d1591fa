package main

import (
	"bytes"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// books are the trader's own, held against the register on the page of the
// cabinet: the first sale is not in them, the second has another sum, and one is
// invented.
func (w *newcomerWalk) books() (string, error) {
	file := []string{"РНМ;Дата и время;Операция;ФП;Сумма"}
	for i, s := range w.sold {
		total := s.receipt.Total
		switch i {
		case 0:
			continue
		case 1:
			total++
		}
		file = append(file, fmt.Sprintf("%s;%v;%v;%s;%v", w.card.RegistrationNumber, s.slip.Time, s.receipt.Op, s.slip.FiscalSign, total))
	}
	last := w.sold[len(w.sold)-1]
	file = append(file, fmt.Sprintf("%s;%v;%v;;%v", w.card.RegistrationNumber, last.slip.Time+60, fiscal.OpSale, last.receipt.Total+1_000_000))
	want := fmt.Sprintf("%d 1 1 1", len(w.sold)-2)
	for {
		got, err := w.compare("books.csv", strings.Join(file, "\n"))
		if err != nil || got == want {
			return fmt.Sprintf("%d rows: 1 missing, 1 extra, 1 different", len(file)-1), err
		}
		select { // the cabinet follows the journal at its own pace
		case <-w.ctx.Done():
			return "", fmt.Errorf("the books come to %q (equal, missing, extra, different), want %q", got, want)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var (
	comparedInput  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	comparedSelect = regexp.MustCompile(`(?s)<select class="form-select" id="(col\d+)".*?</select>`)
	comparedChoice = regexp.MustCompile(`value="([^"]+)" selected`)
	comparedFigure = regexp.MustCompile(`<strong>(\d+)</strong>`)
)

// compare uploads a file, takes its columns for what the page takes them, and
// gives how many rows are equal, missing, extra and different.
func (w *newcomerWalk) compare(name, file string) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("books", name)
	if err != nil {
		return "", err
	}
	if _, err := part.Write([]byte(file)); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.o.Site+"/compare", &body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	page, err := w.page(req)
	if err != nil {
		return "", err
	}
	next := url.Values{"mode": {"receipts"}}
	for _, m := range comparedInput.FindAllStringSubmatch(page, -1) {
		next.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range comparedSelect.FindAllStringSubmatch(page, -1) {
		if chosen := comparedChoice.FindStringSubmatch(m[0]); chosen != nil {
			next.Set(m[1], chosen[1])
		}
	}
	if page, err = w.post("/compare", next); err != nil {
		return "", err
	}
	var figures []string
	for _, m := range comparedFigure.FindAllStringSubmatch(page, -1) {
		figures = append(figures, m[1])
	}
	return strings.Join(figures, " "), nil
}
