// The peer of bench_server: a drain receiver in Go as one writes it with net/http.
//
// It reads octet-counted frames and keeps the samples of Kafka's metric lines as gauges.
// It authenticates, and does nothing else that the agent does: no retries recognized, no
// events, no history, no resynchronisation.
package main

import (
	"bytes"
	"crypto/subtle"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync"
)

const (
	bodyLimit = 1 << 20
	maxDigits = 7
)

type series struct{ name, addon, broker string }

type drain struct {
	user, password string
	buffers        sync.Pool

	mutex  sync.Mutex
	gauges map[series]float64
	frames int
}

func (d *drain) authenticates(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	same := subtle.ConstantTimeCompare([]byte(user), []byte(d.user))
	return same&subtle.ConstantTimeCompare([]byte(password), []byte(d.password)) == 1
}

// receive answers one request of Logplex.
func (d *drain) receive(w http.ResponseWriter, r *http.Request) {
	if !d.authenticates(r) {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	buffer := d.buffers.Get().(*bytes.Buffer)
	defer d.buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(io.LimitReader(r.Body, bodyLimit)); err != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	d.apply(buffer.Bytes())
	w.WriteHeader(http.StatusNoContent)
}

// apply reads the frames of a body, "COUNT SP FRAME", up to the first bad count.
func (d *drain) apply(body []byte) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for len(body) > 0 {
		at := bytes.IndexByte(body, ' ')
		if at < 1 || at > maxDigits {
			return
		}
		size := 0
		for _, digit := range body[:at] {
			if digit < '0' || digit > '9' {
				return
			}
			size = 10*size + int(digit-'0')
		}
		body = body[at+1:]
		if size > len(body) {
			return
		}
		d.applyFrame(body[:size])
		body = body[size:]
		d.frames++
	}
}

var (
	app    = []byte("app")
	broker = []byte("heroku-kafka.")
	addon  = []byte("addon=")
	sample = []byte("sample#")
	kB     = []byte("kB")
)

// applyFrame keeps the samples of a frame "PRI TIMESTAMP HOSTNAME APP-NAME PROCID MSGID".
func (d *drain) applyFrame(frame []byte) {
	var fields [5][]byte
	for i := range fields {
		end := bytes.IndexByte(frame, ' ')
		if end < 0 {
			return
		}
		fields[i], frame = frame[:end], frame[end+1:]
	}
	if !bytes.Equal(fields[3], app) || !bytes.HasPrefix(fields[4], broker) {
		return
	}
	key := series{broker: string(fields[4][len(broker):])}
	for _, word := range bytes.Fields(frame) {
		switch {
		case bytes.HasPrefix(word, addon):
			key.addon = string(word[len(addon):])
		case bytes.HasPrefix(word, sample):
			name, text, _ := bytes.Cut(word[len(sample):], []byte{'='})
			factor := 1.0
			if bytes.HasSuffix(text, kB) {
				text, factor = text[:len(text)-len(kB)], 1024
			}
			if value, err := strconv.ParseFloat(string(text), 64); err == nil {
				key.name = string(name)
				d.gauges[key] = value * factor
			}
		}
	}
}

// show writes the gauges and the number of frames.
func (d *drain) show(w http.ResponseWriter, _ *http.Request) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for key, value := range d.gauges {
		fmt.Fprintf(w, "%s{addon=%q,broker=%q} %v\n", key.name, key.addon, key.broker, value)
	}
	fmt.Fprintf(w, "frames %d\n", d.frames)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address")
	user := flag.String("user", "", "user that may write")
	password := flag.String("password", "", "password of the user")
	flag.Parse()
	d := &drain{user: *user, password: *password, gauges: map[series]float64{}}
	d.buffers.New = func() any { return new(bytes.Buffer) }
	http.HandleFunc("/logs", d.receive)
	http.HandleFunc("/metrics", d.show)
	http.HandleFunc("/-/ready", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
