# Stands in for JA4+, whose columns a Malcolm sensor's conn.log has, in this order.
redef record Conn::Info += {
	ja4l: string &optional &log;
	ja4ls: string &optional &log;
	ja4t: string &optional &log;
	ja4ts: string &optional &log;
};
