package service

// mailMessage is a message within SMTP or POP3. All that shows of it is a
// header too long to be one: an X in the history.
type mailMessage struct {
	det *Detector
	top *entity
}

func newMailMessage(d *Detector) *mailMessage {
	m := &mailMessage{det: d}
	m.top = newEntity(m, nil)
	return m
}

func (m *mailMessage) take(b []byte, newline bool) {
	if m != nil {
		m.top.take(b, newline)
	}
}

func (m *mailMessage) deliver(e *entity, b []byte, newline bool) { e.take(b, newline) }
func (m *mailMessage) field(*entity, *headerField)               {}
func (m *mailMessage) headerEnd(*entity)                         {}
func (m *mailMessage) begin(*entity)                             {}
func (m *mailMessage) end(e *entity)                             { e.endOfData() }
func (m *mailMessage) ended(*entity)                             {}
func (m *mailMessage) tooMuchHeader()                            { m.det.conn.GiveUp() }
