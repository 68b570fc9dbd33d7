// gorilla/websocket at either end: `gorilla server` prints its port and echoes; `gorilla client URL` converses with an
// echo and prints what it found.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() {
	upgrader := websocket.Upgrader{EnableCompression: true, Subprotocols: []string{"echo.v1"}}
	handler := func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r, nil) // its own check: Origin's host is Host
		if err != nil {
			return
		}
		defer socket.Close()
		for {
			kind, data, err := socket.ReadMessage()
			if err != nil || socket.WriteMessage(kind, data) != nil {
				return
			}
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	must(http.Serve(listener, http.HandlerFunc(handler)))
}

func converse(url string) {
	dialer := websocket.Dialer{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		Subprotocols:      []string{"other", "echo.v1"},
		EnableCompression: true,
	}
	origin := strings.TrimSuffix(strings.Replace(url, "wss:", "https:", 1), "/")
	socket, answer, err := dialer.Dial(url, http.Header{"Origin": {origin}})
	must(err)
	fmt.Println(socket.Subprotocol(), answer.Header.Get("Sec-Websocket-Extensions"))
	for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 300000} {
			data := bytes.Repeat([]byte("x"), size)
			must(socket.WriteMessage(kind, data))
			gotKind, got, err := socket.ReadMessage()
			must(err)
			if gotKind != kind || !bytes.Equal(got, data) {
				must(fmt.Errorf("a message of %d bytes changed", size))
			}
		}
	}
	ponged := false
	socket.SetPongHandler(func(data string) error { ponged = data == "app"; return nil })
	must(socket.WriteControl(websocket.PingMessage, []byte("app"), time.Now().Add(time.Second)))
	must(socket.WriteMessage(websocket.TextMessage, []byte("last")))
	_, _, err = socket.ReadMessage()
	must(err)
	fmt.Println("ponged", ponged)
	farewell := websocket.FormatCloseMessage(4001, "enough")
	must(socket.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(time.Second)))
	_, _, err = socket.ReadMessage()
	fmt.Println(websocket.IsCloseError(err, 4001))
}

func main() {
	if os.Args[1] == "server" {
		serve()
	} else {
		converse(os.Args[2])
	}
}
